"""The server: LiveKit-compatible media sessions, meetings and rooms, health, the store, and the pages people open.

rtc/      LiveKit client protocol -> relay commands      media.py  the seam between meetings and media
rooms/    agents' control link, meetings, health         auth.py   tokens, sessions, keys, origins
store/    SQLAlchemy models, repositories, migrations    bus.py    publish / subscribe between parts
api/      JSON control API and live WebSocket            pages.py  HTML pages
app.py    puts it together; config.py; __main__.py       centers/  the directory: pure rules
"""
