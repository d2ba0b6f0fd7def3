# What the language calls itself, and the locale by which numbers and dates are written.
language-name = English
language-locale = en-GB
