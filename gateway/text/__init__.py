"""The words that people read, by language, and how each language writes numbers, dates and lists."""

from gateway.text.catalog import ENGLISH, Catalog, Language, Words, catalog, codes, offered, use_folder, words
from gateway.text.speech import Speech

__all__ = ["ENGLISH", "Catalog", "Language", "Speech", "Words", "catalog", "codes", "offered", "use_folder", "words"]
