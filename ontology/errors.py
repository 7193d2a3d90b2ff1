"""What can be wrong with an ontology."""


class OntologyError(Exception):
    """An ontology file that is not one, or a question about a node that it does not have."""

    def __init__(self, message: str, next_step: str | None = None) -> None:
        super().__init__(message)
        self.next_step = next_step
