using Microsoft.DotNet.Interactive;
using Microsoft.DotNet.Interactive.Formatting;

// The namespace of those that these take the place of: C# prefers the nearer using, whatever the parameters.
namespace System;

/// <summary>Displays any value by a call on it.</summary>
public static class ValueDisplayExtensions
{
    /// <summary>Shows a value as an output of the running cell.</summary>
    /// <param name="value">The value.</param>
    /// <returns>A handle with which the output can be replaced.</returns>
    public static DisplayedValue Display(this object? value) =>
        Show(value, [.. Formatter.GetPreferredMimeTypesFor(value?.GetType()).Append(PlainTextFormatter.MimeType).Distinct()]);

    /// <summary>Shows a value as an output of the running cell.</summary>
    /// <param name="value">The value.</param>
    /// <param name="mimeType">MIME type to show it as.</param>
    /// <returns>A handle with which the output can be replaced.</returns>
    public static DisplayedValue Display(this object? value, string mimeType) => Show(value, mimeType);

    // A thread that outlives its cell has none to show a value in.
    private static DisplayedValue Show(object? value, params string[] mimeTypes) =>
        KernelInvocationContext.Current is { IsComplete: false } cell ? cell.Display(value, mimeTypes) : DisplayExtensions.Display(value, mimeTypes);
}
