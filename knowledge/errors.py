"""Errors of the knowledge base. Each message tells the user what is wrong and what to do about it."""


class KnowledgeError(Exception):
    """Base of the errors a user can cause or mend. `hint` says what to do; the command line prints both."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class PatientFileError(KnowledgeError):
    """The patient file cannot be read, or says something that cannot be understood."""


class UnknownDrugError(KnowledgeError):
    """A name that is no drug of the catalogue, or that several drugs share."""


class DoseError(KnowledgeError):
    """A dose or a route that cannot be understood, or in a unit that the drug is not given in."""


class CatalogueError(KnowledgeError):
    """A drug, a class or a rule of the knowledge base is malformed."""


class StoreError(KnowledgeError):
    """The search index cannot be built or opened."""


class ImportFileError(KnowledgeError):
    """A file of rules from elsewhere is malformed; the message names file and line. Nothing was imported."""


class ImportedRulesError(KnowledgeError):
    """The store of imported rules cannot be read or written."""
