"""The part of the page for films: a file or an address in; player, timelines, summary and files to take home out.
Begin with `part`; `running` is what goes on while the page shows how far it is.
"""
