using CsCheck;

namespace ClipOod.Notebook.Tests;

public sealed class ZocTests
{
    private static readonly Gen<Matrix> _cosines = Gen.Double[-1, 1].Array[6].Select(values => new Matrix(2, 3, values));

    [Fact]
    public void Score_IsTheShareOfTheClassesInOneSoftmax() => Gen.Select(_cosines, _cosines).Sample((classes, candidates) =>
    {
        Matrix both = Matrix.FromRows([.. Enumerable.Range(0, 2).Select(i => (double[])[.. classes[i], .. candidates[i]])]);
        Matrix p = Scores.Softmax(both.Scale(100));
        Golden.AssertClose([p[0][..3].ToArray().Sum(), p[1][..3].ToArray().Sum()], Zoc.Score(classes, candidates).ToArray(), 1e-9);
    });

    [Fact]
    public void Score_WhenTheNearestTextIsACandidate_IsLow()
    {
        IdScores scores = Zoc.Score(Matrix.FromRows([0.30, 0.20], [0.20, 0.21]), Matrix.FromRows([0.22], [0.28]));
        Assert.True(scores[0] > 0.99);
        Assert.True(scores[1] < 0.01);
        Assert.Contains("fixed candidates", scores.Name, StringComparison.Ordinal);
    }

    [Fact]
    public void Score_OfDifferentImages_SaysBothCounts() => Assert.Contains(
        "2 images and candidates, expected 1",
        Assert.Throws<ArgumentException>(() => Zoc.Score(Matrix.FromRows([0.3]), Matrix.FromRows([0.3], [0.2]))).Message,
        StringComparison.Ordinal);
}
