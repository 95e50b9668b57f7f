"""Forms of a site, as its search, told from those of an article, as a quiz, by their names."""

NAMES = ("search", "login", "signin", "sign-in", "subscribe", "newsletter", "comment")
NAMED_BY = ("class", "id", "action", "role", "name")
