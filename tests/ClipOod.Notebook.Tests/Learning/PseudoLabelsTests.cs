namespace ClipOod.Notebook.Tests;

public sealed class PseudoLabelsTests
{
    private static readonly Golden _plp = Golden.Get("plp");

    [Fact]
    public void From_EqualsTheGoldenLabelsAndFilter()
    {
        PseudoLabels pseudo = PseudoLabels.From(_plp["expected", "pseudo_probs"].Matrix);
        Assert.Equal(_plp["expected", "pseudo_labels"].WholeNumbers, pseudo.Labels);
        bool[] kept = _plp["expected", "kept"].Flags;
        Assert.Equal(Enumerable.Range(0, kept.Length).Where(i => kept[i]), pseudo.Kept);
        Assert.Equal(pseudo.Kept.Select(i => pseudo.Labels[i]), pseudo.KeptLabels);
        Assert.Empty(pseudo.RescuedClasses);
    }

    [Fact]
    public void From_WithoutAFilter_KeepsAll() =>
        Assert.Equal(Enumerable.Range(0, 6), PseudoLabels.From(_plp["expected", "pseudo_probs"].Matrix, minProbability: 0).Kept);

    [Fact]
    public void From_WhenAClassLosesAllImages_KeepsItsMostProbableOnes()
    {
        // Class 0 is sure once; class 1 never reaches 0.9 and keeps its best two of three; class 2 has no image.
        Matrix probabilities = Matrix.FromRows([0.95, 0.05, 0], [0.4, 0.6, 0], [0.2, 0.8, 0], [0.3, 0.7, 0], [0.6, 0.4, 0]);
        PseudoLabels pseudo = PseudoLabels.From(probabilities, keepAtLeastPerEmptyClass: 2);
        Assert.Equal([0, 2, 3], pseudo.Kept);
        Assert.Equal([1], pseudo.RescuedClasses);
        Assert.Equal([2], pseudo.EmptyClasses);
    }

    [Fact]
    public void From_Logits_AsksForProbabilities() =>
        Assert.Contains(
            "Pass softmax probabilities, not logits",
            Assert.Throws<ArgumentException>(() => PseudoLabels.From(Matrix.FromRows([30.0, 20]))).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Standardizer_EqualsTheGoldenMeanStdAndFeatures()
    {
        Embeddings train = _plp["inputs", "train"].Embeddings;
        Standardizer standardizer = Standardizer.Fit(train);
        Golden.AssertClose(_plp["expected", "mean"].Numbers, standardizer.Mean, Golden.ToleranceOfSingles);
        Golden.AssertClose(_plp["expected", "std"].Numbers, standardizer.Std, Golden.ToleranceOfSingles);
        Golden.AssertClose(
            _plp["expected", "standardised"].Matrix.Values.ToArray(),
            [.. standardizer.Transform(train).Values.ToArray().Select(value => (double)value)],
            Golden.ToleranceOfSingles);
    }

    [Fact]
    public void Standardizer_OfAConstantDimension_OnlyCentresIt() =>
        Assert.Equal([0f, 2], Standardizer.Fit(new Embeddings(2, 1, new[] { 5f, 5 })).Transform(new Embeddings(2, 1, new[] { 5f, 7 })).Values);

    [Fact]
    public void Standardizer_OfOneRow_Throws() => Assert.Throws<ArgumentException>(() => Standardizer.Fit(new Embeddings(1, 2, new float[2])));
}
