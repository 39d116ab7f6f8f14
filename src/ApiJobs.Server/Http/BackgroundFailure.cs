namespace ApiJobs.Server.Http;

/// <summary>Why the host stopped, if it was not told to: a background loop that ended.</summary>
internal static class BackgroundFailure
{
    /// <summary>Finds what a background service failed with.</summary>
    /// <returns>The exception, or null if all run or have ended well.</returns>
    public static Exception? Of(IEnumerable<IHostedService> services) =>
        services.OfType<BackgroundService>().Select(service => service.ExecuteTask?.Exception?.InnerException).FirstOrDefault(exception => exception is not null);
}
