using System.Reflection;

namespace ClipOod.Autodiff;

/// <summary>
/// Marks a type that notebooks display. Microsoft.DotNet.Interactive.Formatting finds this attribute by its name in any
/// namespace, so the library shows its types in every host without referring to one.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct)]
internal sealed class TypeFormatterSourceAttribute(Type formatterSourceType) : Attribute
{
    /// <summary>A type with a public parameterless constructor and a method <c>CreateTypeFormatters</c>.</summary>
    public Type FormatterSourceType { get; } = formatterSourceType;

    /// <summary>What an output holds, best first.</summary>
    public string[] PreferredMimeTypes { get; set; } = ["text/html", "text/plain"];
}

/// <summary>Shows a type by its <c>public string ToHtml()</c>, and by <c>ToString()</c> where only text can be shown.</summary>
internal sealed class HtmlFormatterSource
{
    /// <summary>Called by name, on an instance, by Microsoft.DotNet.Interactive.Formatting.</summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Performance", "CA1822", Justification = "Looked up as an instance method.")]
    public IEnumerable<object> CreateTypeFormatters() =>
    [
        new Formatter("text/html", HtmlOf),
        new Formatter("text/plain", value => value.ToString()),
    ];

    private static string? HtmlOf(object value)
    {
        MethodInfo toHtml = value.GetType().GetMethod("ToHtml", Type.EmptyTypes)
            ?? throw new InvalidOperationException($"{value.GetType().Name} has no public ToHtml() to be displayed by.");
        return (string?)toHtml.Invoke(value, BindingFlags.DoNotWrapExceptions, null, null, null);
    }

    /// <summary>The members are found by name, as those of the source.</summary>
    private sealed class Formatter(string mimeType, Func<object, string?> text)
    {
        public string MimeType { get; } = mimeType;

        public bool Format(object instance, TextWriter writer)
        {
            writer.Write(text(instance));
            return true;
        }
    }
}
