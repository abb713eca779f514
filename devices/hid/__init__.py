"""USB HID telephony: the mute key of a speakerphone or headset, and its light."""
