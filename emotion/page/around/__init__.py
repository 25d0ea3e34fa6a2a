"""What stands around the parts of the page: the notice before the first one, and the line below all of them.

Begin with `notice.told`; `looks` has the page's own styles and the links on a phone, `connection` what happens when the
server does not answer, `answers` what a busy server owes its visitors.
"""
