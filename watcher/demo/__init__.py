"""The demo: a small world of news sites on loopback, the real daemon watching it, and a check of what it told.

content.py what is published · site.py the sites · schedule.py when · config.py the watch list · checker.py what had to
be told, from the sites' own list · play.py all of it together.
"""
