using System.CommandLine;
using System.Globalization;
using System.Numerics;

namespace ClipOod.Runner.Commands;

/// <summary>Options that take a number within bounds.</summary>
internal static class BoundedOption
{
    /// <summary>An option that takes a number.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="helpName">What the help calls the number.</param>
    /// <param name="description">What the help says of it.</param>
    /// <param name="fallback">The number where none is given.</param>
    /// <param name="isValid">Whether a number is within the bounds.</param>
    /// <param name="expected">The bounds in words, as "must be ..." goes on.</param>
    public static Option<T> Of<T>(string name, string helpName, string description, T fallback, Func<T, bool> isValid, string expected)
        where T : INumber<T> => new(name)
        {
            Description = description,
            HelpName = helpName,
            DefaultValueFactory = _ => fallback,
            CustomParser = result =>
            {
                // A comma is an error: it groups digits where the culture is invariant, and 0,5 would be 5.
                string text = string.Join(' ', result.Tokens.Select(token => token.Value));
                if (!T.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out T? value) || !isValid(value))
                {
                    result.AddError($"{name} must be {expected}. Got '{text}'.");
                }

                return value;
            },
        };
}
