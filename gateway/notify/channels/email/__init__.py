"""Channel `email`: mails over SMTP."""
