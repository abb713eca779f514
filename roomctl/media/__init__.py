"""The room's own media endpoint: joins a meeting as `room:ID` and publishes picture and sound.

endpoint.py   what the room asks of whoever speaks for it
publisher.py  the endpoint that stays joined: session after session
session.py    one joined session: WebSocket, peer connection, pump
signal.py     the LiveKit signal protocol of a publisher, sans-IO
source.py     what a room publishes: the test picture with the chord, or its camera
picture.py    the test picture, and the card of a camera that is lost
sound.py      the room's chord
tracks.py     both as aiortc tracks
camera.py     the camera's picture as one
"""
