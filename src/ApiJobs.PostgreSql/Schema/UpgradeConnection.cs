using System.Data;
using System.Diagnostics.CodeAnalysis;
using DbUp.Engine.Transactions;
using Npgsql;

namespace ApiJobs.PostgreSql.Schema;

/// <summary>Has scripts run on the connection that holds the upgrade's lock, inside its transaction.</summary>
/// <remarks>
/// A second connection could be one more than a pooler has: the nodes that wait for the lock hold all the others, and the one
/// that has the lock would wait for them.
/// </remarks>
internal sealed class UpgradeConnection(NpgsqlConnection connection) : DatabaseConnectionManager(_ => new Borrowed(connection))
{
    // Npgsql takes a script as a whole.
    public override IEnumerable<string> SplitScriptIntoCommands(string scriptContents) => [scriptContents];

    /// <summary>The connection, which is neither opened nor closed here, because it goes on to be used.</summary>
    private sealed class Borrowed(NpgsqlConnection connection) : IDbConnection
    {
        [AllowNull]
        public string ConnectionString
        {
            get => connection.ConnectionString;
            set => throw new NotSupportedException();
        }

        public int ConnectionTimeout => connection.ConnectionTimeout;

        public string Database => connection.Database;

        public ConnectionState State => connection.State;

        public IDbCommand CreateCommand()
        {
            var command = connection.CreateCommand();
            // An upgrade takes as long as it takes.
            command.CommandTimeout = 0;
            return command;
        }

        public IDbTransaction BeginTransaction() => throw new NotSupportedException();

        public IDbTransaction BeginTransaction(IsolationLevel il) => throw new NotSupportedException();

        public void ChangeDatabase(string databaseName) => throw new NotSupportedException();

        public void Open() => throw new NotSupportedException();

        public void Close() => throw new NotSupportedException();

        public void Dispose()
        {
            // Its owner closes it.
        }
    }
}
