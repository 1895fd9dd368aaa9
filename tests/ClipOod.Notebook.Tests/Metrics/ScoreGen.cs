using CsCheck;

namespace ClipOod.Notebook.Tests;

/// <summary>Random scores, from few distinct values (many ties) to hundreds (few ties), and how to judge results.</summary>
internal static class ScoreGen
{
    /// <summary>Exact in double: whole multiples of a quarter, around 0.</summary>
    public static readonly Gen<(double[] Id, double[] Ood)> Pairs =
        Gen.Int[1, 200].SelectMany(levels => Gen.Select(
            Gen.Int[-levels, levels].Select(v => v / 4.0).Array[1, 60],
            Gen.Int[-levels, levels].Select(v => v / 4.0).Array[1, 60]));

    public static IdScores Scores(IEnumerable<double> values) => new("score", [.. values]);

    /// <summary>ID becomes OOD and high becomes low, which turns "ID positive" into "OOD positive".</summary>
    public static (IdScores Id, IdScores Ood) Mirrored(double[] id, double[] ood) =>
        (Scores(ood.Select(v => -v)), Scores(id.Select(v => -v)));

    public static void AssertClose(double expected, double actual) => Golden.AssertClose(expected, actual, 1e-12);
}
