using System.Globalization;
using System.Text.Json.Nodes;

namespace ClipOod.Notebook;

/// <summary>Values that a reader can set from outside a notebook, as <c>--param name=value</c> of our host.</summary>
public static class Parameter
{
    /// <summary>The key under which a host leaves a <c>Func&lt;string, string?&gt;</c> from a name to the text given for it, or null.</summary>
    internal const string HostKey = "workbook.parameter";

    /// <summary>
    /// The key under which a host leaves an <c>Action&lt;string&gt;</c> that takes, as JSON, what a parameter is: name, default, allowed
    /// (in words) and help. Called before the value is asked for.
    /// </summary>
    internal const string DeclarationKey = "workbook.parameter.declared";

    /// <summary>The value given for a parameter, or the default where none was given.</summary>
    /// <typeparam name="T">A type that reads itself from text: int, double, bool, string and the like; culture-invariant.</typeparam>
    /// <param name="name">The parameter's name.</param>
    /// <param name="defaultValue">The value where none was given.</param>
    /// <param name="help">What it does, one line for readers.</param>
    /// <exception cref="FormatException">The text given is no <typeparamref name="T"/>.</exception>
    public static T Get<T>(string name, T defaultValue, string help = "")
        where T : IParsable<T> =>
        Get(name, defaultValue, _ => true, typeof(T) == typeof(string) ? "any text" : $"a value of type {typeof(T).Name}", help);

    /// <summary>The value given for a parameter that lies between two bounds.</summary>
    /// <typeparam name="T">A type that reads itself from text and has an order, such as int or double; culture-invariant.</typeparam>
    /// <param name="name">The parameter's name.</param>
    /// <param name="defaultValue">The value where none was given, between the bounds.</param>
    /// <param name="from">Smallest value with which the method works.</param>
    /// <param name="to">Largest such value.</param>
    /// <param name="help">What it does, one line for readers.</param>
    /// <exception cref="FormatException">The text given is no <typeparamref name="T"/>, is NaN or lies outside of the bounds.</exception>
    /// <exception cref="ArgumentException">The default lies outside of the bounds.</exception>
    public static T Get<T>(string name, T defaultValue, T from, T to, string help)
        where T : IParsable<T>, IComparable<T> =>
        Get(name, defaultValue, value => value.CompareTo(from) >= 0 && value.CompareTo(to) <= 0, Invariant($"a number from {from} to {to}"), help);

    /// <summary>The value given for a parameter that has a few possible values.</summary>
    /// <typeparam name="T">A type that reads itself from text; culture-invariant.</typeparam>
    /// <param name="name">The parameter's name.</param>
    /// <param name="defaultValue">The value where none was given, one of the choices.</param>
    /// <param name="choices">The possible values.</param>
    /// <param name="help">What it does, one line for readers.</param>
    /// <exception cref="FormatException">The text given is none of the choices.</exception>
    /// <exception cref="ArgumentException">The default is none of the choices.</exception>
    public static T Get<T>(string name, T defaultValue, IEnumerable<T> choices, string help)
        where T : IParsable<T>
    {
        T[] all = [.. choices];
        return Get(name, defaultValue, all.Contains, Invariant($"one of {string.Join(", ", all.Select(choice => Invariant($"{choice}")))}"), help);
    }

    private static T Get<T>(string name, T defaultValue, Func<T, bool> isAllowed, string allowed, string help)
        where T : IParsable<T>
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (!isAllowed(defaultValue))
        {
            throw new ArgumentException(Invariant($"Parameter '{name}' has the default {defaultValue}, expected {allowed}."), nameof(defaultValue));
        }

        (AppDomain.CurrentDomain.GetData(DeclarationKey) as Action<string>)?.Invoke(new JsonObject
        {
            ["name"] = name,
            ["default"] = Invariant($"{defaultValue}"),
            ["allowed"] = allowed,
            ["help"] = help,
        }.ToJsonString());
        string? text = (AppDomain.CurrentDomain.GetData(HostKey) as Func<string, string?>)?.Invoke(name);
        if (text is null)
        {
            return defaultValue;
        }

        // A comma groups digits where the culture is invariant: 0,5 would be read as 5.
        bool isGrouped = defaultValue is double or float or decimal && text.Contains(',', StringComparison.Ordinal);
        return !isGrouped && T.TryParse(text, CultureInfo.InvariantCulture, out T? value) && isAllowed(value)
            ? value
            : throw new FormatException(Invariant($"Parameter '{name}' is '{text}', expected {allowed} such as {defaultValue}: --param {name}={defaultValue}"));
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
