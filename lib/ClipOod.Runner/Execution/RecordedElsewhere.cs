using System.Globalization;
using ClipOod.Runner.Kernel;

namespace ClipOod.Runner.Execution;

/// <summary>What is recorded of a notebook in another world, to stand beside the results of this one.</summary>
/// <param name="World">Name of the other world.</param>
/// <param name="Results">The recorded results by key; none where there is a problem.</param>
/// <param name="Problem">Why there is nothing to stand beside, a sentence; null where there is something.</param>
internal sealed record RecordedElsewhere(string World, IReadOnlyDictionary<string, DeclaredResult> Results, string? Problem)
{
    private static readonly SortedDictionary<string, DeclaredResult> _none = new(StringComparer.Ordinal);

    /// <summary>Reads what is recorded of a notebook in another world. What cannot be read is said, and never taken for agreement.</summary>
    /// <param name="world">Name of the other world.</param>
    /// <param name="folder">Folder of its recorded results.</param>
    /// <param name="notebook">The notebook.</param>
    public static RecordedElsewhere Load(string world, string folder, NotebookFile notebook)
    {
        if (!notebook.RunsIn(world))
        {
            return new RecordedElsewhere(world, _none, $"This notebook does not run in the world {world}.");
        }

        try
        {
            SortedDictionary<string, DeclaredResult> results = ExpectedValues.Load(ExpectedValues.PathOf(folder, notebook));
            return new RecordedElsewhere(world, results, results.Count > 0 ? null : $"Nothing is recorded in the world {world}: clipood run --world {world} --only {notebook.Number} --record");
        }
        catch (InvalidDataException)
        {
            return new RecordedElsewhere(
                world, _none, $"What is recorded in the world {world} is of another version or broken, and stands beside nothing: clipood run --world {world} --only {notebook.Number} says what is wrong.");
        }
    }

    /// <summary>Where the two worlds disagree, in sentences.</summary>
    /// <param name="declared">The results of this world.</param>
    public IEnumerable<string> Findings(IReadOnlyList<DeclaredResult> declared)
    {
        if (Problem is not null)
        {
            return [Problem];
        }

        (DeclaredResult Here, DeclaredResult There)[] both =
            [.. declared.Where(result => Results.ContainsKey(result.Key)).Select(result => (result, Results[result.Key]))];
        (VerdictResult Here, VerdictResult There)[] verdicts =
            [.. both.Where(pair => pair is (VerdictResult, VerdictResult)).Select(pair => ((VerdictResult)pair.Here, (VerdictResult)pair.There))];
        string[] judgedThere = [.. verdicts.Where(pair => !pair.Here.IsTold && pair.There.IsTold).Select(pair => $"“{pair.Here.Key}” ({pair.There.Word})")];
        string[] judgedHere = [.. verdicts.Where(pair => pair.Here.IsTold && !pair.There.IsTold).Select(pair => $"“{pair.Here.Key}” ({pair.Here.Word})")];
        string[] otherWord = [.. verdicts.Where(pair => pair.Here.IsTold && pair.There.IsTold && pair.Here.Word != pair.There.Word)
            .Select(pair => $"“{pair.Here.Key}” ({pair.Here.Word} here, {pair.There.Word} there)")];
        string[] otherSign = [.. both.Where(pair => pair.Here.HasOtherSignThan(pair.There)).Select(pair => $"“{pair.Here.Key}”")];
        return
        [
            Invariant($"{both.Length} of {declared.Count} results are recorded in the world {World} too{(Results.Count > both.Length ? Invariant($"; {Results.Count - both.Length} recorded there have no counterpart here") : "")}."),
            .. Sentence(judgedThere, $"Told in {World} only"),
            .. Sentence(judgedHere, "Told here only"),
            .. Sentence(otherWord, "The verdict differs"),
            .. Sentence(otherSign, "The sign of the difference differs"),
            .. Orders(both),
            .. verdicts.Length > 0 && otherWord.Length + otherSign.Length == 0 ? (string[])["No verdict that both tell, and no difference, points the other way."] : [],
        ];
    }

    // Of two detectors on the same sets, which is ahead? Values of two worlds do not compare, orders do.
    private static IEnumerable<string> Orders((DeclaredResult Here, DeclaredResult There)[] both)
    {
        (MetricResult A, MetricResult B, bool Same)[] pairs = [.. both
            .Where(pair => pair is (MetricResult, MetricResult))
            .Select(pair => (Here: (MetricResult)pair.Here, There: (MetricResult)pair.There))
            .GroupBy(pair => (pair.Here.Id, pair.Here.Ood, pair.Here.Metric, pair.Here.Seed))
            .SelectMany(group => group.SelectMany((a, i) => group.Skip(i + 1).Select(b => (A: a, B: b))))
            .Where(pair => pair.A.Here.IsApartFrom(pair.B.Here) && pair.A.There.IsApartFrom(pair.B.There))
            .Select(pair => (pair.A.Here, pair.B.Here, pair.A.Here.Value > pair.B.Here.Value == pair.A.There.Value > pair.B.There.Value))];
        (MetricResult A, MetricResult B, bool Same)[] other = [.. pairs.Where(pair => !pair.Same)];
        return pairs.Length == 0 ? []
            : other.Length == 0 ? [Invariant($"All {pairs.Length:N0} orders of two detectors on the same sets are the same.")]
            : [Invariant($"{other.Length:N0} of {pairs.Length:N0} orders of two detectors on the same sets differ, such as that of {other[0].A.Detector} and {other[0].B.Detector} on {other[0].A.Sets} ({other[0].A.Metric}).")];
    }

    private static string[] Sentence(string[] keys, string what) =>
        keys.Length == 0 ? [] : [Invariant($"{what}: {string.Join(", ", keys.Take(3))}{(keys.Length > 3 ? Invariant($" and {keys.Length - 3} more") : "")}.")];

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
