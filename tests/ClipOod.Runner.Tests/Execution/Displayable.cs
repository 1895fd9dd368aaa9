// Members are found by name on instances.
#pragma warning disable CA1822

namespace ClipOod.Runner.Tests.Execution;

/// <summary>A type of a library that knows nothing of .NET Interactive but an attribute's name.</summary>
[TypeFormatterSource(typeof(DisplayableFormatterSource))]
public sealed class Displayable
{
    public string ToHtml() => "<p>shown by its own formatter</p>";

    public override string ToString() => "plain";
}

[AttributeUsage(AttributeTargets.Class)]
internal sealed class TypeFormatterSourceAttribute(Type formatterSourceType) : Attribute
{
    public Type FormatterSourceType { get; } = formatterSourceType;
}

internal sealed class DisplayableFormatterSource
{
    public IEnumerable<object> CreateTypeFormatters() => [new DisplayableFormatter()];
}

internal sealed class DisplayableFormatter
{
    public string MimeType => "text/html";

    public bool Format(object instance, TextWriter writer)
    {
        writer.Write(((Displayable)instance).ToHtml());
        return true;
    }
}
