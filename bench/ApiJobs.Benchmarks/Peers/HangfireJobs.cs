using Dapper;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace ApiJobs.Benchmarks.Peers;

/// <summary>What Hangfire is asked to do. It calls public methods of public types only.</summary>
public static class HangfireJobs
{
    // Longer than any of its jobs takes.
    private static readonly TimeSpan Stall = TimeSpan.FromSeconds(15);

    private static int _left;
    private static long _lastEndedAt;
    private static TaskCompletionSource _done = new();

    /// <summary>Where the updating jobs find their cases.</summary>
    public static string ConnectionString { get; set; } = "";

    /// <summary>Begins to count.</summary>
    public static void Expect(int jobs)
    {
        _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _left, jobs);
    }

    /// <summary>Waits until the jobs expected have run, or none of them has for a while.</summary>
    /// <remarks>
    /// Now and then a worker of Hangfire.PostgreSql takes a job off its queue and does not run it; the job comes back when its
    /// invisibility timeout is over, half an hour later. The others are counted up to the last one that ran.
    /// </remarks>
    /// <returns>How many have not run, and the timestamp of the last one that has.</returns>
    public static async Task<(int Left, long LastEndedAt)> WaitAsync(CancellationToken cancellationToken)
    {
        for (var left = -1; left != Volatile.Read(ref _left) && !_done.Task.IsCompleted;)
        {
            left = Volatile.Read(ref _left);
            await Task.WhenAny(_done.Task, Task.Delay(Stall, TimeProvider.System, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        }

        return (Volatile.Read(ref _left), Volatile.Read(ref _lastEndedAt));
    }

    /// <summary>A job that does nothing.</summary>
    public static void DoNothing() => End();

    /// <summary>Loads, changes and saves each record on its own, the way of Entity Framework Core's first page of documentation.</summary>
    public static async Task UpdateByEntityFrameworkAsync(Guid companyId, CaseNotes[] records)
    {
        ArgumentNullException.ThrowIfNull(records);
        await using var context = new CaseContext(ConnectionString);
        foreach (var record in records)
        {
            var stored = await context.Cases.FirstOrDefaultAsync(row => row.CompanyId == companyId && row.Id == record.Id);
            if (stored is null)
                continue;
            stored.Notes = record.Notes;
            stored.UpdatedAt = TimeProvider.System.GetUtcNow();
            await context.SaveChangesAsync();
        }

        End();
    }

    /// <summary>Updates record after record with Dapper, in one transaction.</summary>
    public static async Task UpdateByDapperAsync(Guid companyId, CaseNotes[] records)
    {
        ArgumentNullException.ThrowIfNull(records);
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        foreach (var record in records)
        {
            await connection.ExecuteAsync(
                "UPDATE customer_case SET notes = @Notes, updated_at = @now WHERE company_id = @companyId AND id = @Id",
                new { companyId, record.Id, record.Notes, now = TimeProvider.System.GetUtcNow() }, transaction);
        }

        await transaction.CommitAsync();
        End();
    }

    private static void End()
    {
        Volatile.Write(ref _lastEndedAt, System.Diagnostics.Stopwatch.GetTimestamp());
        if (Interlocked.Decrement(ref _left) == 0)
            _done.TrySetResult();
    }

    private sealed class CaseContext(string connectionString) : DbContext
    {
        public DbSet<Case> Cases => Set<Case>();

        protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder) => optionsBuilder.UseNpgsql(connectionString);

        protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.Entity<Case>(row =>
        {
            row.ToTable("customer_case").HasKey(it => new { it.CompanyId, it.Id });
            row.Property(it => it.CompanyId).HasColumnName("company_id");
            row.Property(it => it.Id).HasColumnName("id");
            row.Property(it => it.Notes).HasColumnName("notes");
            row.Property(it => it.UpdatedAt).HasColumnName("updated_at");
        });
    }

    private sealed class Case
    {
        public Guid CompanyId { get; set; }

        public Guid Id { get; set; }

        public string? Notes { get; set; }

        public DateTimeOffset UpdatedAt { get; set; }
    }
}

/// <summary>An update of a case, as Hangfire keeps it in its job's arguments.</summary>
public sealed record CaseNotes(Guid Id, string Notes);
