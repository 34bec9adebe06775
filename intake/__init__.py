"""The core: what a complaint is, and how it is registered once, kept and told about."""

__version__ = "0.1.0"
