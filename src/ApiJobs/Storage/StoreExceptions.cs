namespace ApiJobs.Storage;

/// <summary>The database cannot serve now; the same call may be made again later.</summary>
public sealed class StoreUnavailableException : Exception
{
    /// <summary>Makes the exception without a message.</summary>
    public StoreUnavailableException() { }

    /// <summary>Makes the exception with a message for operators.</summary>
    public StoreUnavailableException(string message) : base(message) { }

    /// <summary>Makes the exception with a message for operators and the database's own error.</summary>
    public StoreUnavailableException(string message, Exception innerException) : base(message, innerException) { }

    /// <summary>Whether it is room on the disk that is missing: what is there can be read and, where the store keeps a reserve, applied; nothing more is accepted.</summary>
    public bool IsDiskLow { get; init; }
}

/// <summary>The database has a newer schema than this program knows; it must not be written to.</summary>
public sealed class SchemaTooNewException : Exception
{
    /// <summary>Makes the exception without a message.</summary>
    public SchemaTooNewException() { }

    /// <summary>Makes the exception with a message for operators.</summary>
    public SchemaTooNewException(string message) : base(message) { }

    /// <summary>Makes the exception with a message for operators and a cause.</summary>
    public SchemaTooNewException(string message, Exception innerException) : base(message, innerException) { }
}

internal static class StoreFaults
{
    /// <summary>Says whether a fault lies in the database's state now, so that the same work may be done again later.</summary>
    internal static bool IsTransient(this ILaneStore store, Exception exception) =>
        exception is StoreUnavailableException || store.Classify(exception) == StoreFault.Transient;
}
