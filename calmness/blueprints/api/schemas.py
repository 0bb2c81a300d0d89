"""Ground of the schemas: input that refuses what it does not know."""

from apiflask import Schema
from marshmallow import RAISE


class ClosedSchema(Schema):
    """Input that refuses fields it does not know: nobody gets a role by naming it."""

    class Meta:
        """Marshmallow's options."""

        unknown = RAISE
