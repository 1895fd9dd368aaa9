namespace ClipOod.Notebook;

/// <summary>What correlation and regression ask of two measures of the same things.</summary>
internal static class PairedValues
{
    public static void Require(IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        if (x.Count != y.Count || x.Count < 2)
        {
            throw new ArgumentException($"Got {x.Count} and {y.Count} values, expected as many of each and at least two.", nameof(y));
        }

        RequireVaried(x, nameof(x));
        RequireVaried(y, nameof(y));
    }

    private static void RequireVaried(IReadOnlyList<double> values, string name)
    {
        for (int i = 0; i < values.Count; i++)
        {
            if (double.IsNaN(values[i]))
            {
                throw new ArgumentException($"Value {i} of {values.Count} is NaN. Check the measure it comes from.", name);
            }
        }

        if (values.All(value => value == values[0]))
        {
            throw new ArgumentException(
                FormattableString.Invariant($"All {values.Count} values are {values[0]}, expected different ones: there is no order or slope to compare."), name);
        }
    }
}
