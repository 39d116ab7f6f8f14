using ApiJobs.Storage;

namespace ApiJobs.Processing;

/// <summary>What a job's log says of an exception. Callers of the API read it, so what the exception itself said stays in the operators' log.</summary>
internal static class FaultReason
{
    public static string Of(Exception exception, ILaneStore store) => exception switch
    {
        UnknownOperationException => "the server does not know the job's operation any longer",
        StoreUnavailableException => "the database could not serve",
        _ => store.Classify(exception) switch
        {
            StoreFault.Transient => "the database could not take it just then",
            StoreFault.Constraint => "a rule of the database was broken",
            StoreFault.Deployment => "the database lacks something that the server expects",
            StoreFault.TooSlow => "it took longer than the database waits",
            _ => $"the operation crashed: {exception.GetType().Name}",
        },
    };
}
