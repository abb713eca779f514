"""The whole product as a person meets it: the demo network, real Chromium, media judged on the receiving side."""
