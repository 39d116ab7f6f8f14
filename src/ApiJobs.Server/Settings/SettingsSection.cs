using System.ComponentModel.DataAnnotations;
using System.Reflection;
using ApiJobs.Admission;
using ApiJobs.Intake;
using ApiJobs.PostgreSql;
using ApiJobs.Processing;
using ApiJobs.Sqlite;
using ApiJobs.Waiting;

namespace ApiJobs.Server.Settings;

/// <summary>A section of the configuration: the settings it has, and what is wrong with those that it was given.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Types">The classes it is read into. Their properties are its settings, with what their attributes say of them.</param>
internal sealed record SettingsSection(string Name, params IReadOnlyList<Type> Types)
{
    /// <summary>Every section whose settings are known.</summary>
    public static IReadOnlyList<SettingsSection> All { get; } =
    [
        new("Storage", typeof(StorageSettings), typeof(SqliteStoreOptions), typeof(PostgreSqlStoreOptions)),
        new("Http", typeof(HttpSettings)),
        new("OAuth", typeof(OAuthSettings)),
        new("Limits", typeof(AdmissionOptions), typeof(LimitSettings)),
        new("Worker", typeof(WorkerOptions)),
        new("Intake", typeof(IntakeOptions)),
        new("Wait", typeof(WaitOptions)),
        new("Retention", typeof(RetentionOptions)),
        new("Webhooks", typeof(WebhookSettings)),
    ];

    /// <summary>The settings, each once.</summary>
    public IEnumerable<PropertyInfo> Settings => Types.SelectMany(SettingsOf).DistinctBy(setting => setting.Name);

    /// <summary>Reads the section into an object, and adds what is wrong with it to <paramref name="faults"/>.</summary>
    public static T Read<T>(IConfiguration configuration, string name, List<string> faults)
        where T : new()
    {
        try
        {
            var options = configuration.GetSection(name).Get<T>() ?? new T();
            Check(options, name, faults);
            return options;
        }
        catch (InvalidOperationException exception)
        {
            // The binder names the key, the value and the type it should have.
            faults.Add(exception.Message);
            return new T();
        }
    }

    /// <summary>Says which names in the configuration's section nobody reads.</summary>
    public IEnumerable<string> FindUnknown(IConfiguration configuration)
    {
        var known = Settings.Select(setting => setting.Name).ToList();
        foreach (var name in configuration.GetSection(Name).GetChildren().Select(child => child.Key).Where(name => !known.Contains(name, StringComparer.OrdinalIgnoreCase)))
        {
            var next = NearestName.To(name, known) is { } nearest ? $"The nearest one is {Name}:{nearest}." : $"{Name} has: {string.Join(", ", known)}.";
            yield return $"{Name}:{name} is not a setting, and does nothing. {next}";
        }
    }

    private static IEnumerable<PropertyInfo> SettingsOf(Type type) => type.GetProperties().Where(property => property.SetMethod is { IsPublic: true });

    private static void Check<T>(T options, string name, List<string> faults)
        where T : new()
    {
        var defaults = new T();
        foreach (var setting in SettingsOf(typeof(T)))
        {
            if (setting.GetCustomAttribute<RangeAttribute>() is { } range && setting.GetValue(options) is { } value && !range.IsValid(value))
            {
                var otherwise = setting.GetValue(defaults) is { } fallback ? $"; the default is {fallback}" : ", or leave it out";
                faults.Add($"{name}:{setting.Name} is {value}. Set it to {range.Minimum}…{range.Maximum}{otherwise}.");
            }
        }

        if (options is IValidatableObject validatable)
            faults.AddRange(validatable.Validate(new(options)).Select(result => result.ErrorMessage!));
    }
}
