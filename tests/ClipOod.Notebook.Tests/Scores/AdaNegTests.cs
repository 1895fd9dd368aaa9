namespace ClipOod.Notebook.Tests;

public sealed class AdaNegTests
{
    // Text and images of CLIP lie apart: here texts are in the first four directions, with a common fifth that only images have.
    private static readonly Embeddings _idTexts = Rows([1, 0, 0, 0, 0], [0, 1, 0, 0, 0]);
    private static readonly Embeddings _negativeTexts = Rows([0, 0, 1, 0, 0], [0, 0, 0, 1, 0]);
    private static readonly AdaNegOptions _oneGroup = new() { Groups = 1, BatchSize = 1 };

    [Fact]
    public void Score_OfTheFirstImage_IsThatByHand()
    {
        // Cosine 0.6 to class 0: remembered there. Its proxy is (text + image)/‖·‖ for the mean, whose cosine to the image is
        // 1.6/√3.2; the weights of the sample-adaptive one are e^(−0.4β) for the text and 1 for the image.
        Embeddings stream = Rows([0.6, 0, 0, 0, 0.8]);
        double text = NegLabel(0.6);
        double mean = 1.6 / Math.Sqrt(3.2);
        Assert.Equal(NegLabel(mean) + (0.1 * text), Only(_oneGroup with { Proxy = AdaNegProxy.TaskAdaptive, LogitScale = 10 }, stream), 1e-6);

        double w = Math.Exp(-0.4 * 5.5);
        double weighted = ((0.6 * w) + 1) / Math.Sqrt((w * w) + 1 + (2 * w * 0.6));
        Assert.Equal(NegLabel(weighted) + text, Only(_oneGroup with { TextWeight = 1, LogitScale = 10 }, stream), 1e-6);

        static double NegLabel(double first) => (Math.Exp(10 * first) + 1) / (Math.Exp(10 * first) + 3);
    }

    [Fact]
    public void Score_RemembersSureImagesUnderTheNegativeTheyLookLike()
    {
        // The second image looks as much like class 0 as like negative 2; the first one taught that such a look is negative.
        Embeddings second = Rows([0.3, 0, 0.3, 0, Math.Sqrt(0.82)]);
        Embeddings first = Rows([0, 0, 0.5, 0, Math.Sqrt(0.75)]);
        AdaNegOptions options = _oneGroup with { LogitScale = 20 };
        double alone = Only(options, second);
        double after = AdaNeg.Score(first.Append(second), _idTexts, _negativeTexts, options)[1];
        Assert.True(after < alone - 0.3, FormattableString.Invariant($"{after} after an OOD image, {alone} alone"));
    }

    [Fact]
    public void Score_WhenNothingIsSure_IsNegLabelTwice()
    {
        Embeddings stream = RandomImages(40, seed: 1);
        IdScores scores = AdaNeg.Score(stream, _idTexts, _negativeTexts, _oneGroup with { Gap = 1, TextWeight = 1 });
        IdScores negLabel = NegativeLabels.Score(Similarity.Cosines(stream, _idTexts), Similarity.Cosines(stream, _negativeTexts), groups: 1);
        Golden.AssertClose([.. negLabel.Select(s => 2 * s)], scores.ToArray(), Golden.ToleranceOfDoubles);
    }

    [Fact]
    public void Score_OfAFullMemory_KeepsTheMostCertainImage()
    {
        // Three images of class 0; a memory of one ends with the surest, in whatever order they come.
        double[][] images = [[0.5, 0.2, 0, 0, Math.Sqrt(0.71)], [0.7, 0.1, 0, 0, Math.Sqrt(0.5)], [0.6, 0.3, 0, 0, Math.Sqrt(0.55)]];
        double[] probe = [0.4, 0.1, 0.3, 0, Math.Sqrt(0.74)];
        AdaNegOptions options = _oneGroup with { MemoryLength = 1, LogitScale = 20 };
        double expected = Last([images[1], probe]);
        Assert.Equal(expected, Last([.. images, probe]), 1e-9);
        Assert.Equal(expected, Last([images[1], images[2], images[0], probe]), 1e-9);

        double Last(double[][] rows) => AdaNeg.Score(Embeddings.FromRows(rows), _idTexts, _negativeTexts, options)[^1];
    }

    [Fact]
    public void Score_DependsOnTheOrderButNotOnWhatComesLater()
    {
        Embeddings stream = RandomImages(60, seed: 2);
        IdScores scores = AdaNeg.Score(stream, _idTexts, _negativeTexts, _oneGroup);
        Assert.Equal(scores, AdaNeg.Score(stream, _idTexts, _negativeTexts, _oneGroup));
        int[] firstHalf = [.. Enumerable.Range(0, 30)];
        Golden.AssertClose(
            scores.Select(firstHalf).ToArray(),
            AdaNeg.Score(stream.Select(firstHalf), _idTexts, _negativeTexts, _oneGroup).ToArray(),
            Golden.ToleranceOfDoubles);
        int[] reversed = [.. Enumerable.Range(0, 60).Reverse()];
        Assert.NotEqual(scores.Select(reversed), AdaNeg.Score(stream.Select(reversed), _idTexts, _negativeTexts, _oneGroup));
    }

    [Fact]
    public void Score_OfABatch_RemembersAllOfItBeforeScoring()
    {
        // In one batch the order of the images is of no matter while no memory is full.
        Embeddings stream = RandomImages(20, seed: 3);
        AdaNegOptions options = _oneGroup with { BatchSize = 20, MemoryLength = 20 };
        int[] reversed = [.. Enumerable.Range(0, 20).Reverse()];
        Golden.AssertClose(
            AdaNeg.Score(stream, _idTexts, _negativeTexts, options).Select(reversed).ToArray(),
            AdaNeg.Score(stream.Select(reversed), _idTexts, _negativeTexts, options).ToArray(),
            Golden.ToleranceOfSingles);
    }

    [Fact]
    public void Score_OfAnEmptyStream_IsEmpty() => Assert.Empty(AdaNeg.Score(new Embeddings(0, 5, default), _idTexts, _negativeTexts, _oneGroup));

    [Fact]
    public void Score_WithOptionsOutOfRange_Throws()
    {
        Embeddings stream = RandomImages(2, seed: 4);
        foreach (AdaNegOptions options in new[]
        {
            _oneGroup with { MemoryLength = 0 }, _oneGroup with { BatchSize = 0 }, _oneGroup with { Gap = 1.5 }, _oneGroup with { Threshold = -1 },
            _oneGroup with { Beta = -1 }, _oneGroup with { TextWeight = double.NaN }, _oneGroup with { LogitScale = 0 }, new AdaNegOptions(),
        })
        {
            // The last one has 5 groups for 2 negatives.
            Assert.Throws<ArgumentOutOfRangeException>(() => AdaNeg.Score(stream, _idTexts, _negativeTexts, options));
        }
    }

    [Fact]
    public void MixedImages_SplitsScoresBackIntoTheGivenOrder()
    {
        Embeddings id = RandomImages(7, seed: 5);
        Embeddings ood = RandomImages(5, seed: 6);
        MixedImages mixed = MixedImages.Shuffle(id, ood, seed: 1);
        Assert.Equal(mixed.IsId, MixedImages.Shuffle(id, ood, seed: 1).IsId);
        Assert.Equal(7, mixed.IsId.Count(isId => isId));
        Assert.NotEqual(Enumerable.Repeat(true, 7).Concat(Enumerable.Repeat(false, 5)), mixed.IsId);

        IdScores firstFeature = new("x", [.. Enumerable.Range(0, 12).Select(i => (double)mixed.Images[i][0])]);
        (IdScores idScores, IdScores oodScores) = mixed.Split(firstFeature);
        Assert.Equal(Enumerable.Range(0, 7).Select(i => (double)id[i][0]), idScores);
        Assert.Equal(Enumerable.Range(0, 5).Select(i => (double)ood[i][0]), oodScores);
        Assert.Throws<ArgumentException>(() => mixed.Split(idScores));
    }

    private static double Only(AdaNegOptions options, Embeddings stream) =>
        Assert.Single(AdaNeg.Score(stream, _idTexts, _negativeTexts, options));

    private static Embeddings Rows(params double[][] rows) => Embeddings.FromRows(rows);

    internal static Embeddings RandomImages(int count, int seed)
    {
        Random random = new(seed);
        return Embeddings.FromRows([.. Enumerable.Range(0, count).Select(_ =>
            (double[])[random.NextDouble(), random.NextDouble(), random.NextDouble(), random.NextDouble(), 1])]).Normalized();
    }
}
