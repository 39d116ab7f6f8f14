using System.Security.Cryptography;
using System.Text;

namespace ApiJobs.PostgreSql.Session;

/// <summary>The name of the role that the transactions of companies run as.</summary>
/// <remarks>
/// Roles are the whole server's. A database has one of its own, so that what is granted in one installation gives nothing
/// in another on the same server.
/// </remarks>
internal static class CompanyRole
{
    // PostgreSQL cuts identifiers at 63 bytes.
    private const int MaxBytes = 63;

    /// <summary>The role's name in a database: <c>apijobs_</c> and the database's name, or a digest of it where that is too long.</summary>
    internal static string Of(string database)
    {
        var name = $"apijobs_{database}";
        return Encoding.UTF8.GetByteCount(name) <= MaxBytes
            ? name
            : $"apijobs_{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(database)))[..32]}";
    }

    /// <summary>The name as an SQL identifier.</summary>
    internal static string Quoted(string role) => $"\"{role.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>The name as an SQL text.</summary>
    internal static string Literal(string role) => $"'{role.Replace("'", "''", StringComparison.Ordinal)}'";
}
