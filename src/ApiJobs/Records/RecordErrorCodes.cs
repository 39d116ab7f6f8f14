namespace ApiJobs.Records;

/// <summary>The stable codes of record errors that the engine itself gives. Integrators branch on them; they never change meaning.</summary>
public static class RecordErrorCodes
{
    /// <summary>No row of the company has the record's key.</summary>
    public const string NotFound = "not_found";

    /// <summary>The record has no key, and its operation needs one.</summary>
    public const string MissingKey = "missing_key";

    /// <summary>A create names an id that exists already, in the store or earlier in the request.</summary>
    public const string AlreadyExists = "already_exists";

    /// <summary>Another row of the company has the value of a unique field.</summary>
    public const string NotUnique = "not_unique";

    /// <summary>A field names a row that the company does not have.</summary>
    public const string ReferenceNotFound = "reference_not_found";

    /// <summary>The resource has no such field.</summary>
    public const string UnknownField = "unknown_field";

    /// <summary>The field is set by the engine and may not be sent.</summary>
    public const string ProtectedField = "protected_field";

    /// <summary>The record names a field twice.</summary>
    public const string DuplicateField = "duplicate_field";

    /// <summary>A required field is missing or null.</summary>
    public const string RequiredField = "required_field";

    /// <summary>The value is of another JSON type than the field's.</summary>
    public const string WrongType = "wrong_type";

    /// <summary>The value is of the right JSON type but not in the field's format: a UUID, a date.</summary>
    public const string InvalidFormat = "invalid_format";

    /// <summary>A number is outside the field's range.</summary>
    public const string OutOfRange = "out_of_range";

    /// <summary>A text is longer than the field allows.</summary>
    public const string TooLong = "too_long";

    /// <summary>A map has more members than the field allows.</summary>
    public const string TooManyMembers = "too_many_members";

    /// <summary>A text holds U+0000 or half a surrogate pair, which no store can keep.</summary>
    public const string InvalidCharacter = "invalid_character";

    /// <summary>A row broke a rule of the database that the engine does not know more exactly.</summary>
    public const string ConstraintViolation = "constraint_violation";

    /// <summary>The job is a rehearsal, and the program that came to it cannot rehearse its operation.</summary>
    public const string NotRehearsable = "not_rehearsable";

    /// <summary>The code that handles the record crashed on it, or took too long, as often as it was tried.</summary>
    public const string InternalError = "internal_error";
}
