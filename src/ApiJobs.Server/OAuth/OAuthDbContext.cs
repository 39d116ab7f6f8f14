using System.Text.Json;
using ApiJobs.Server.Settings;
using Microsoft.EntityFrameworkCore;

namespace ApiJobs.Server.OAuth;

/// <summary>OpenIddict's stores and our signing keys, in tables of their own (<c>oauth_…</c>) in the jobs' database.</summary>
/// <remarks>The tables are made by the scripts in <c>Migrations</c>, not from this model; a test compares the two.</remarks>
internal sealed class OAuthDbContext(DbContextOptions<OAuthDbContext> options) : DbContext(options)
{
    public DbSet<ApiClient> Clients => Set<ApiClient>();

    public DbSet<StoredSigningKey> SigningKeys => Set<StoredSigningKey>();

    /// <summary>Sets the database of <paramref name="storage"/>.</summary>
    public static void UseDatabase(DbContextOptionsBuilder options, StorageSettings storage)
    {
        if (storage.IsPostgreSql)
            options.UseNpgsql(storage.ConnectionString);
        else
            options.UseSqlite(storage.ConnectionString);
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.UseOpenIddict<ApiClient, ApiAuthorization, ApiScope, ApiToken, string>();
        modelBuilder.Entity<ApiClient>().ToTable("oauth_clients");
        modelBuilder.Entity<ApiAuthorization>().ToTable("oauth_authorizations");
        modelBuilder.Entity<ApiScope>().ToTable("oauth_scopes");
        modelBuilder.Entity<ApiToken>().ToTable("oauth_tokens");
        modelBuilder.Entity<StoredSigningKey>(key =>
        {
            key.ToTable("oauth_signing_keys").HasKey(row => row.Generation);
            key.Property(row => row.Generation).ValueGeneratedNever();
            key.HasIndex(row => row.Kid).IsUnique();
        });

        foreach (var entity in modelBuilder.Model.GetEntityTypes())
        {
            foreach (var property in entity.GetProperties())
                property.SetColumnName(JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name));
        }
    }
}
