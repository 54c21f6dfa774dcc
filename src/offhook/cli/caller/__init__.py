"""A caller for the command line: speaks Twilio's protocol to any server and measures what comes back."""
