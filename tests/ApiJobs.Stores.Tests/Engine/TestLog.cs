using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ApiJobs.Stores.Tests.Engine;

/// <summary>Keeps what was logged.</summary>
public sealed class TestLog : ILogger<ApiJobEngine>
{
    private readonly ConcurrentQueue<TestLogLine> _lines = new();

    public IReadOnlyCollection<TestLogLine> Lines => _lines;

    /// <summary>The last warning or error; null if all was well.</summary>
    public TestLogLine? LastFault => _lines.LastOrDefault(line => line.Level >= LogLevel.Warning);

    public IEnumerable<TestLogLine> Of(int eventId) => _lines.Where(line => line.EventId == eventId);

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue(new(logLevel, eventId.Id, formatter(state, exception), exception));
}

public sealed record TestLogLine(LogLevel Level, int EventId, string Text, Exception? Exception);
