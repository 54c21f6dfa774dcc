"""A load generator that speaks Twilio's side of Media Streams. Knows no server."""
