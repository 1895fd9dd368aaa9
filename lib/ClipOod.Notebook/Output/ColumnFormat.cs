using System.Globalization;

namespace ClipOod.Notebook;

/// <summary>How a table or heat map writes the numbers of a column.</summary>
public enum ColumnFormat
{
    /// <summary>Text, left-aligned.</summary>
    Text,

    /// <summary>Whole numbers with thousands separators.</summary>
    Count,

    /// <summary>Four digits or more after the point, fewer where the numbers are large.</summary>
    Number,

    /// <summary>A fraction of 1 written as a percentage with two decimals: 0.6213 is "62.13 %".</summary>
    Percent,

    /// <summary>A difference with its sign, as <see cref="Number"/>.</summary>
    SignedNumber,

    /// <summary>A difference of fractions in percentage points with its sign: 0.012 is "+1.2 pt".</summary>
    SignedPoints,
}

/// <summary>Which value of a column is the best and is printed bold.</summary>
public enum Best
{
    /// <summary>None is marked.</summary>
    None,

    /// <summary>The highest, as for AUROC.</summary>
    Highest,

    /// <summary>The lowest, as for FPR95.</summary>
    Lowest,
}

/// <summary>Writes numbers the same way in tables, captions and charts.</summary>
internal static class Numbers
{
    /// <summary>What a missing number is shown as.</summary>
    public const string Missing = "–";

    /// <summary>A fraction of 1 as a percentage with one decimal, for captions; tables print two, as the papers do.</summary>
    public static string Percent(double fraction) => $"{WithMinus((100 * fraction).ToString("F1", CultureInfo.InvariantCulture))} %";

    /// <summary>A number with four digits; a whole number of 10 or more without decimals.</summary>
    public static string Short(double value) => Math.Abs(value) >= 10 && value == Math.Round(value)
        ? Write(value, ColumnFormat.Count, value)
        : Write(value, ColumnFormat.Number, Math.Abs(value));

    /// <summary>A count with thousands separators.</summary>
    public static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Writes one value of a column.</summary>
    /// <param name="value">The value; NaN is missing.</param>
    /// <param name="format">Of the column.</param>
    /// <param name="largest">The largest magnitude in the column, which fixes the number of decimals for all of it.</param>
    /// <param name="missing">What stands for NaN.</param>
    public static string Write(double value, ColumnFormat format, double largest, string missing = Missing)
    {
        if (double.IsNaN(value))
        {
            return missing;
        }

        if (double.IsInfinity(value))
        {
            return value > 0 ? "∞" : "−∞";
        }

        return format switch
        {
            ColumnFormat.Count => WithMinus(value.ToString("N0", CultureInfo.InvariantCulture)),
            ColumnFormat.Percent => WithMinus((100 * value).ToString("F2", CultureInfo.InvariantCulture)) + " %",
            ColumnFormat.SignedPoints => WithMinus((100 * value).ToString("+0.00;-0.00;0.00", CultureInfo.InvariantCulture)) + " pt",
            ColumnFormat.SignedNumber => (value > 0 ? "+" : "") + Plain(value, largest),
            _ => Plain(value, largest),
        };
    }

    private static string Plain(double value, double largest)
    {
        string format = largest switch
        {
            0 => "F1",
            < 1e-3 or >= 1e7 => "0.###e+0",
            < 10 => "F4",
            < 100 => "F2",
            < 10_000 => "F1",
            _ => "F0",
        };
        return WithMinus(value.ToString(format, CultureInfo.InvariantCulture));
    }

    private static string WithMinus(string number) => number.Replace('-', '−');
}
