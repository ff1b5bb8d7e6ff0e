"""Who may come in, and to what.

keys.py     the file of keys: hashed, closed, written whole    keyring.py  the file as it stands
routes.py   which path needs which scope                       layer.py    the door itself (ASGI)
"""

from app.api.access.keyring import Access, Keyring, NoKeys

__all__ = ["Access", "Keyring", "NoKeys"]
