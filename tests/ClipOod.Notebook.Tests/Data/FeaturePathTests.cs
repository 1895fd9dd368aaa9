namespace ClipOod.Notebook.Tests;

public sealed class FeaturePathTests
{
    private static readonly Embeddings _id = SimilarityTests.UnitRows(5, 8, 1), _ood = SimilarityTests.UnitRows(5, 8, 2);

    [Fact]
    public void Between_AtTheEnds_IsOneSide()
    {
        AssertClose(_id, FeaturePath.Between(_id, _ood, 0));
        AssertClose(_ood, FeaturePath.Between(_id, _ood, 1));
    }

    [Fact]
    public void Between_HalfWay_IsTheNormalisedMean()
    {
        Embeddings half = FeaturePath.Between(Embeddings.FromRows([1, 0]), Embeddings.FromRows([0, 1]), 0.5);
        Assert.Equal(Math.Sqrt(0.5), half.Values[0], 1e-6);
        Assert.Equal(half.Values[0], half.Values[1]);
    }

    [Fact]
    public void Between_AsAlphaGrows_MovesAwayFromIdAtUnitLength()
    {
        double[] cosines = [.. Enumerable.Range(0, 11).Select(step =>
        {
            Embeddings between = FeaturePath.Between(_id, _ood, step / 10.0);
            Assert.True(between.IsUnitNorm(1e-5));
            return Enumerable.Range(0, 5).Average(i => Similarity.Cosines(_id, between)[i, i]);
        })];
        Assert.Equal(-1, RankCorrelation.Spearman([.. Enumerable.Range(0, 11).Select(i => (double)i)], cosines));
    }

    [Fact]
    public void Between_OfBadInput_SaysWhatIsWrong()
    {
        Assert.Throws<ArgumentOutOfRangeException>("alpha", () => FeaturePath.Between(_id, _ood, 1.1));
        Assert.Contains("4 x 8 OOD features for 5 x 8", Assert.Throws<ArgumentException>(() => FeaturePath.Between(_id, _ood.Select([0, 1, 2, 3]), 0.5)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>("oodFeatures", () => FeaturePath.Between(Embeddings.FromRows([1, 0]), Embeddings.FromRows([0, 2]), 0.5));
    }

    private static void AssertClose(Embeddings expected, Embeddings actual) =>
        Golden.AssertClose([.. expected.Values.ToArray().Select(v => (double)v)], [.. actual.Values.ToArray().Select(v => (double)v)], 1e-6);
}
