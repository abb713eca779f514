"""The JSON control API `/api/v1` and the live WebSocket.

guests.py    look at an invitation, join, refresh, invite, leave: the secret is the credential
control.py   meetings and rooms for IT and operators' programs
live.py      live documents over a WebSocket
answers.py   JSON in, JSON out, and every refusal as a Problem
"""
