using System.Globalization;

namespace ClipOod.Notebook;

/// <summary>Values that a reader can set from outside a notebook, as <c>--param name=value</c> of our host.</summary>
public static class Parameter
{
    /// <summary>The key under which a host leaves a <c>Func&lt;string, string?&gt;</c> from a name to the text given for it, or null.</summary>
    internal const string HostKey = "workbook.parameter";

    /// <summary>The value given for a parameter, or the default where none was given.</summary>
    /// <typeparam name="T">A type that reads itself from text: int, double, bool, string and the like; culture-invariant.</typeparam>
    /// <param name="name">The parameter's name.</param>
    /// <param name="defaultValue">The value where none was given.</param>
    /// <exception cref="FormatException">The text given is no <typeparamref name="T"/>.</exception>
    public static T Get<T>(string name, T defaultValue)
        where T : IParsable<T>
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        string? text = (AppDomain.CurrentDomain.GetData(HostKey) as Func<string, string?>)?.Invoke(name);
        if (text is null)
        {
            return defaultValue;
        }

        // A comma groups digits where the culture is invariant: 0,5 would be read as 5.
        bool isGrouped = defaultValue is double or float or decimal && text.Contains(',', StringComparison.Ordinal);
        return !isGrouped && T.TryParse(text, CultureInfo.InvariantCulture, out T? value)
            ? value
            : throw new FormatException(
                $"Parameter '{name}' is '{text}', expected a value of type {typeof(T).Name} such as "
                + string.Create(CultureInfo.InvariantCulture, $"{defaultValue}: --param {name}={defaultValue}"));
    }
}
