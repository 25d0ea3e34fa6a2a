"""What the browser shows: visitors' choices in, Streamlit's elements out.

The only folder that calls Streamlit; what does may only be called on a page's own thread. Begin with `web_app.py`, then
`webcam.show_webcam` and `pictures.show_pictures`. What people paste is read in `addresses`;
what they are told first, and what stands below every part, is in `around`;
what a visit keeps of its webcam sessions, in `sessions`.
"""
