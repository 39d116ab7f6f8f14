using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using ApiJobs.PostgreSql;
using ApiJobs.Server.Settings;
using ApiJobs.Sqlite;

namespace ApiJobs.Server.Tests.Documents;

/// <summary>The tables of the settings' page, made from the options themselves: types, defaults, bounds and docstrings.</summary>
internal static partial class SettingsTables
{
    private static readonly Dictionary<Assembly, XDocument> Docs = [];

    /// <summary>The table of a section, as Markdown.</summary>
    public static string Of(SettingsSection section) =>
        "| setting | type | default | bounds | |\n|---|---|---|---|---|\n"
        + string.Concat(section.Settings.Select(setting =>
            $"| `{section.Name}:{setting.Name}{(setting.PropertyType.IsArray ? ":{n}" : "")}` | {TypeOf(setting)} | {DefaultOf(setting)} | {BoundsOf(setting)} | {TextOf(setting)} |\n"));

    private static string TypeOf(PropertyInfo setting)
    {
        var type = setting.PropertyType.IsArray ? setting.PropertyType.GetElementType()! : Nullable.GetUnderlyingType(setting.PropertyType) ?? setting.PropertyType;
        return type == typeof(TimeSpan) ? "time" : type == typeof(bool) ? "bool" : type == typeof(string) ? "text" : "number";
    }

    private static string DefaultOf(PropertyInfo setting) => setting.GetValue(Activator.CreateInstance(setting.DeclaringType!)) is { } value && value is not (Array or "") ? $"`{Write(value)}`" : "–";

    private static string BoundsOf(PropertyInfo setting)
    {
        if (setting.GetCustomAttribute<RangeAttribute>() is not { } range)
            return "";

        // Made from text only when a value is checked.
        range.IsValid(null);
        range.IsValid(setting.GetValue(Activator.CreateInstance(setting.DeclaringType!)) ?? TimeSpan.Zero);
        return $"{Write(range.Minimum)}…{Write(range.Maximum)}";
    }

    private static string Write(object value) => value switch
    {
        bool flag => flag ? "true" : "false",
        TimeSpan time => time.ToString(time.Milliseconds == 0 ? "c" : @"hh\:mm\:ss\.fff", CultureInfo.InvariantCulture),
        string text when TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var time) && text.Contains(':') => Write(time),
        string text when long.TryParse(text, CultureInfo.InvariantCulture, out var number) => Write(number),
        int or long => Convert.ToInt64(value, CultureInfo.InvariantCulture).ToString("N0", CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };

    private static string TextOf(PropertyInfo setting)
    {
        var assembly = setting.DeclaringType!.Assembly;
        if (!Docs.TryGetValue(assembly, out var docs))
            Docs[assembly] = docs = XDocument.Load(Path.Combine(AppContext.BaseDirectory, $"{assembly.GetName().Name}.xml"));
        var member = docs.Descendants("member").Single(member => (string?)member.Attribute("name") == $"P:{setting.DeclaringType!.FullName}.{setting.Name}");
        var store = setting.DeclaringType == typeof(SqliteStoreOptions) ? "SQLite: " : setting.DeclaringType == typeof(PostgreSqlStoreOptions) ? "PostgreSQL: " : "";
        var text = string.Join(' ', new[] { member.Element("summary"), member.Element("remarks") }.OfType<XElement>().Select(PlainText));
        return store + Spaces().Replace(text, " ").Trim().Replace("|", "\\|", StringComparison.Ordinal);
    }

    private static string PlainText(XElement element) => string.Concat(element.Nodes().Select(node => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
        XElement { Name.LocalName: "see" } see => $"`{((string?)see.Attribute("langword") ?? (string?)see.Attribute("cref") ?? "").Split('.')[^1]}`",
        XElement inner => PlainText(inner),
        _ => "",
    }));

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
