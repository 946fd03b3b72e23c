"""What can go wrong when people are told."""

from engine import NotFound


class DeliveryNotFound(NotFound):
    """Raised when nothing with this id failed, so that nothing can be tried again."""

    slug = "delivery-not-found"


class AddressInvalid(Exception):
    """Raised when something isn't an address that a mail can go to."""


class WebhookNotAllowed(Exception):
    """Raised when an address for webhooks isn't among the hosts that the installation allows."""


class NotSent(Exception):
    """Raised when something certainly wasn't sent, and may be tried again."""


class TurnedDown(NotSent):
    """Raised when the other side will never take it."""


class Unsure(Exception):
    """Raised when nobody can say whether something was sent; it isn't tried again."""
