using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using ApiJobs.Intake;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;

namespace ApiJobs.AspNetCore.Routing;

/// <summary>A query parameter of an endpoint. What an endpoint does not have is refused, so that a typing error never changes what is done.</summary>
/// <remarks>As endpoint metadata it also describes the parameter to API explorers and OpenAPI documents, as a handler's own parameter would.</remarks>
internal sealed class QueryParameter(string name, string description, Type? type = null) : IParameterBindingMetadata
{
    public string Name => name;

    bool IParameterBindingMetadata.HasTryParse => true;

    bool IParameterBindingMetadata.HasBindAsync => false;

    bool IParameterBindingMetadata.IsOptional => true;

    ParameterInfo IParameterBindingMetadata.ParameterInfo { get; } = new Described(name, description, type ?? typeof(string));

    /// <summary>Refuses a request that has parameters which the endpoint has not.</summary>
    /// <exception cref="RequestFaultException">It has.</exception>
    public static void RefuseOthers(IQueryCollection query, IReadOnlyList<QueryParameter> parameters)
    {
        foreach (var (sent, _) in query)
        {
            if (!parameters.Any(parameter => parameter.Name == sent))
                throw Invalid($"There is no parameter '{Shown(sent)}' here. {Allowed("Parameters", [.. parameters.Select(parameter => parameter.Name)])}");
        }
    }

    /// <summary>The parameter's text.</summary>
    /// <returns>The text, or null if it was not sent.</returns>
    /// <exception cref="RequestFaultException">It was sent twice, or has a character that no stored text can have.</exception>
    public string? Text(HttpRequest request)
    {
        if (!request.Query.TryGetValue(name, out var values))
            return null;
        if (values.Count != 1)
            throw Invalid($"'{name}' was sent {values.Count} times; send it once.");
        var text = values.ToString();
        return text.Contains('\0', StringComparison.Ordinal) ? throw Invalid($"'{name}' has the character U+0000, which no text here can have.") : text;
    }

    /// <summary>The parameter's whole number, or <paramref name="otherwise"/> if it was not sent.</summary>
    /// <exception cref="RequestFaultException">It is not a number in the range.</exception>
    public int Number(HttpRequest request, int min, int max, int otherwise)
    {
        if (Text(request) is not { } text)
            return otherwise;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? number
            : throw Invalid($"'{name}' is '{Shown(text)}'; send a whole number from {min} to {max}.");
    }

    /// <summary>The parameter's names, separated by commas; all from <paramref name="allowed"/>.</summary>
    /// <returns>The names, without repetition; empty if it was not sent.</returns>
    /// <exception cref="RequestFaultException">One is not allowed.</exception>
    public IReadOnlyCollection<string> Names(HttpRequest request, IReadOnlyList<string> allowed)
    {
        if (Text(request) is not { } text)
            return [];
        var names = text.Split(',', StringSplitOptions.TrimEntries).ToHashSet(StringComparer.Ordinal);
        return names.FirstOrDefault(other => !allowed.Contains(other)) is { } unknown
            ? throw Invalid($"'{name}' has no '{Shown(unknown)}'. {Allowed("Values", allowed)}")
            : names;
    }

    /// <summary>Makes the fault of a parameter.</summary>
    public static RequestFaultException Invalid(string detail) => new(new(RequestFaultCodes.InvalidParameter, detail));

    /// <summary>Says what may be sent.</summary>
    public static string Allowed(string what, IReadOnlyList<string> allowed) =>
        allowed.Count == 0 ? $"{what} allowed: none." : $"{what} allowed: {string.Join(", ", allowed)}.";

    /// <summary>A value as it may stand in a message.</summary>
    public static string Shown(string value) => value.Length <= 60 ? value : $"{value[..60]}…";

    private sealed class Described : ParameterInfo
    {
        private readonly Attribute[] _attributes;

        public Described(string name, string description, Type type)
        {
            NameImpl = name;
            ClassImpl = type;
            // A parameter has to be some member's; what is asked of it is answered here.
            MemberImpl = typeof(QueryParameter).GetConstructors()[0];
            _attributes = [new FromQueryAttribute { Name = name }, new DescriptionAttribute(description)];
        }

        public override bool HasDefaultValue => false;

        public override object? DefaultValue => null;

        // Asked for the type's nullability, about which there is nothing to say.
        public override IList<CustomAttributeData> GetCustomAttributesData() => [];

        public override object[] GetCustomAttributes(bool inherit) => _attributes;

        // Reflection casts the result to an array of the type that was asked for.
        public override object[] GetCustomAttributes(Type attributeType, bool inherit)
        {
            var matching = _attributes.Where(attributeType.IsInstanceOfType).ToArray();
            var typed = (object[])Array.CreateInstance(attributeType, matching.Length);
            matching.CopyTo(typed, 0);
            return typed;
        }

        public override bool IsDefined(Type attributeType, bool inherit) => _attributes.Any(attributeType.IsInstanceOfType);
    }
}
