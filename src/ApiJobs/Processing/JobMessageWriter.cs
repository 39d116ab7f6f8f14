using System.Text;
using ApiJobs.Jobs;
using ApiJobs.Records;
using ApiJobs.Storage;

namespace ApiJobs.Processing;

/// <summary>Adds entries to jobs' messages up to their bound: whole entries, and none after the first that did not fit.</summary>
/// <remarks>
/// Chunks are read ahead of those being applied, so the job that comes with a chunk may be older than what was applied
/// before it. The writer carries the state of the job at hand from chunk to chunk; <see cref="Fork"/> makes a copy for an
/// attempt that may be rolled back.
/// </remarks>
internal sealed class JobMessageWriter(int maxBytes)
{
    // Room for the line that says how many entries more there are, and for why a job failed.
    private const int ReservedBytes = 512;

    private Guid _jobId;
    private int _bytes;
    private bool _closed;
    private readonly StringBuilder _added = new();
    private int _addedCount;

    public JobMessageWriter Fork() => new(maxBytes) { _jobId = _jobId, _bytes = _bytes, _closed = _closed };

    public void Begin(PendingChunk chunk)
    {
        _added.Clear();
        _addedCount = 0;
        var job = chunk.Job;
        if (job.Id == _jobId)
            return;
        _jobId = job.Id;
        _bytes = job.MessageBytes;
        _closed = job.MessageEntryCount < job.Counts.NotEffected;
    }

    public void Add(string label, JobRecord record)
    {
        if (_closed)
            return;
        var entry = JobMessageText.Entry(label, record.Key, record.Index, record.Errors);
        var bytes = Encoding.UTF8.GetByteCount(entry);
        if (_bytes + bytes > maxBytes - ReservedBytes)
        {
            _closed = true;
            return;
        }

        _bytes += bytes;
        _added.Append(entry);
        _addedCount++;
    }

    public (string Text, int EntryCount) End() => (_added.ToString(), _addedCount);
}
