namespace ClipOod.Notebook;

/// <summary>How records of rates show themselves: a row per rate, in percent.</summary>
internal static class RateTable
{
    public static ResultTable Of(string title, params (string Name, double Value)[] rates) =>
        new ResultTable(title).Text("Metric", rates.Select(rate => rate.Name)).Percent("Value", rates.Select(rate => rate.Value));
}
