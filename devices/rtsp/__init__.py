"""Video over RTSP.

`messages` (the protocol), `link` (proof of life), `feed` and `capture` (pictures while wanted), `gate` and `passage` (what
FFmpeg may reach).
"""
