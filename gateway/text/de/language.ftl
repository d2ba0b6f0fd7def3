# What the language calls itself, and the locale by which numbers and dates are written.
language-name = Deutsch
language-locale = de-DE
