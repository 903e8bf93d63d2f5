"""Messages between services: the envelope, the ports for sending and receiving, and what makes both reliable."""

from __future__ import annotations

from sagacity.messaging.envelope import Envelope, Message
from sagacity.messaging.publisher import Publisher
from sagacity.messaging.subscriber import Delivery, Partition, Positions, Subscriber, Unreadable

__all__ = ["Delivery", "Envelope", "Message", "Partition", "Positions", "Publisher", "Subscriber", "Unreadable"]
