using ClipOod.Runner.Kernel;
using Microsoft.AspNetCore.Html;

// These are the names that notebooks know from .NET Interactive. Its package of this name was withdrawn, so the few
// members that notebooks use are declared here, under the same namespace, for notebooks to run unchanged in both hosts.
namespace Microsoft.DotNet.Interactive;

/// <summary>The functions that every cell can call without a prefix.</summary>
public static class Kernel
{
    /// <summary>Shows a value as an output of the running cell.</summary>
    /// <param name="value">The value.</param>
    /// <param name="mimeTypes">MIME types to show it as; none for those preferred for its type.</param>
    /// <returns>A handle with which the output can be replaced.</returns>
    public static DisplayedValue display(object? value, params string[] mimeTypes) => DisplayedValue.Show(value, mimeTypes);

    /// <summary>Marks text as HTML, so that displaying it shows the HTML.</summary>
    /// <param name="content">HTML, shown as it is.</param>
    public static IHtmlContent HTML(string content) => new HtmlString(content);
}

/// <summary>Displays any value by a call on it.</summary>
public static class DisplayExtensions
{
    /// <summary>Shows a value as an output of the running cell.</summary>
    /// <typeparam name="T">Type of the value.</typeparam>
    /// <param name="value">The value.</param>
    /// <param name="mimeTypes">MIME types to show it as; none for those preferred for its type.</param>
    /// <returns>A handle with which the output can be replaced.</returns>
    public static DisplayedValue Display<T>(this T value, params string[] mimeTypes) => DisplayedValue.Show(value, mimeTypes);
}

/// <summary>An output that is already shown.</summary>
public sealed class DisplayedValue
{
    private readonly string _displayId;
    private readonly string[] _mimeTypes;

    private DisplayedValue(string displayId, string[] mimeTypes)
    {
        _displayId = displayId;
        _mimeTypes = mimeTypes;
    }

    /// <summary>Replaces what the output shows, wherever it stands.</summary>
    /// <param name="updatedValue">The value to show from now on.</param>
    public void Update(object? updatedValue) =>
        CellOutputs.Publish(_displayId, MimeBundle.Of(updatedValue, _mimeTypes), isUpdate: true);

    internal static DisplayedValue Show(object? value, string[] mimeTypes)
    {
        string displayId = CellOutputs.NextDisplayId();
        CellOutputs.Publish(displayId, MimeBundle.Of(value, mimeTypes));
        return new DisplayedValue(displayId, mimeTypes);
    }
}
