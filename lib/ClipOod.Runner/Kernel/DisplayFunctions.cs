using Microsoft.DotNet.Interactive.Formatting;

// Notebooks know these under this namespace: the display functions of .NET Interactive once more. Its own give a handle that belongs to no
// output, so that an update shows a second output instead of replacing the first. These have no parameter array: C# prefers them. They show
// every value as plain text too, for readers that show nothing else.
namespace Microsoft.DotNet.Interactive;

/// <summary>The functions that every cell can call without a prefix.</summary>
public static class DisplayFunctions
{
    /// <summary>Shows a value as an output of the running cell.</summary>
    /// <param name="value">The value.</param>
    /// <returns>A handle with which the output can be replaced.</returns>
    public static DisplayedValue display(object? value) => value.Display();

    /// <summary>Shows a value as an output of the running cell.</summary>
    /// <param name="value">The value.</param>
    /// <param name="mimeType">MIME type to show it as.</param>
    /// <returns>A handle with which the output can be replaced.</returns>
    public static DisplayedValue display(object? value, string mimeType) => value.Display(mimeType);
}
