using CsCheck;

namespace ClipOod.Notebook.Tests;

public sealed class NegativeLabelsTests
{
    private static readonly Golden _golden = Golden.Get("negative_labels");
    private static readonly Matrix _id = _golden["inputs", "cos_id"].Matrix;
    private static readonly Matrix _negative = _golden["inputs", "cos_neg"].Matrix;
    private static readonly int[] _permutation = _golden["inputs", "permutation"].WholeNumbers;
    private static readonly int _groups = _golden["inputs", "groups"].WholeNumber;
    private static readonly Embeddings _candidates = _golden["inputs", "mining", "candidates"].Embeddings;
    private static readonly Embeddings _idTexts = _golden["inputs", "mining", "id_text"].Embeddings;

    [Fact]
    public void Nearness_EqualsTheGoldenQuantiles() => Golden.AssertClose(
        _golden["expected", "mining_similarity"].Numbers,
        NegativeLabels.Nearness(_candidates, _idTexts, _golden["inputs", "mining", "quantile"].Number),
        Golden.ToleranceOfSingles);

    [Fact]
    public void Mine_KeepsTheGoldenCandidates() => Assert.Equal(
        _golden["expected", "mining_kept"].WholeNumbers,
        NegativeLabels.Mine(_candidates, _idTexts, _golden["inputs", "mining", "ratio"].Number));

    [Fact]
    public void Mine_WithAMaximum_NeverKeepsWhatIsNearerButSharesOutOverAll()
    {
        // Largest cosines to a class: 0.97, 0.29, 0.63, 0.19, 0.99, 0.55.
        Assert.Equal([3, 1, 5, 2], NegativeLabels.Mine(_candidates, _idTexts, keep: 1, maxCosine: 0.95));
        Assert.Equal([3, 1, 5], NegativeLabels.Mine(_candidates, _idTexts, keep: 0.5, maxCosine: 0.95));
        Assert.Throws<ArgumentException>(() => NegativeLabels.Mine(_candidates, _idTexts, keep: 1, maxCosine: -1));
    }

    [Fact]
    public void Mine_OfTooFew_SaysSo() =>
        Assert.Contains("leaves none", Assert.Throws<ArgumentException>(() => NegativeLabels.Mine(_candidates, _idTexts, keep: 0.1)).Message, StringComparison.Ordinal);

    [Fact]
    public void Score_EqualsTheGoldenScores()
    {
        Golden expected = _golden["expected"];
        Golden.AssertClose(
            expected["neglabel_no_groups"].Numbers, NegativeLabels.Score(_id, _negative, groups: 1).ToArray(), Golden.ToleranceOfDoubles);
        Golden.AssertClose(
            expected["neglabel_grouped"].Numbers, NegativeLabels.Score(_id, _negative, _groups, _permutation).ToArray(), Golden.ToleranceOfDoubles);
        Golden.AssertClose(
            [.. expected["neglabel_each_group"].Rows.SelectMany(row => row)],
            NegativeLabels.GroupScores(_id, _negative, _groups, _permutation).Values.ToArray(),
            Golden.ToleranceOfDoubles);
    }

    [Fact]
    public void Permutation_DropsTheLastAndHasASeed()
    {
        int[] permutation = NegativeLabels.Permutation(7, groups: 2, seed: 3);
        Assert.Equal([0, 1, 2, 3, 4, 5], permutation.Order());
        Assert.Equal(permutation, NegativeLabels.Permutation(7, groups: 2, seed: 3));
        Assert.NotEqual(NegativeLabels.Permutation(100, 2, seed: 0), NegativeLabels.Permutation(100, 2, seed: 1));
    }

    [Fact]
    public void Score_WithoutGroups_DoesNotDependOnTheOrderOfTheNegatives() =>
        (from seed in Gen.Int[0, 1000]
         from id in Gen.Double[-1, 1].Array[6]
         from negative in Gen.Double[-1, 1].Array[10]
         select (seed, id, negative)).Sample(t =>
        {
            Matrix id = new(2, 3, t.id);
            Matrix negative = new(2, 5, t.negative);
            Golden.AssertClose(
                NegativeLabels.Score(id, negative, groups: 1, seed: 0).ToArray(),
                NegativeLabels.Score(id, negative, groups: 1, seed: t.seed).ToArray(),
                Golden.ToleranceOfDoubles);
        });

    [Fact]
    public void Score_RisesWithTheClassAndFallsWithTheNegative()
    {
        IdScores scores = NegativeLabels.Score(
            Matrix.FromRows([0.30, 0.1], [0.31, 0.1], [0.30, 0.1]), Matrix.FromRows([0.30, 0.1], [0.30, 0.1], [0.31, 0.1]), groups: 1);
        Assert.True(scores[1] > scores[0] && scores[0] > scores[2]);
    }

    [Fact]
    public void Score_WhereSumsOverflow_IsThatOfTheLimit() => Assert.Equal(
        [0.0, 1.0],
        NegativeLabels.Score(Matrix.FromRows([-1.0], [1.0]), Matrix.FromRows([1.0], [-1.0]), groups: 1, logitScale: 1000));

    [Fact]
    public void Score_OfBadInput_Throws()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => NegativeLabels.Score(_id, _negative, groups: 8));
        Assert.Throws<ArgumentException>(() => NegativeLabels.Score(_id, Matrix.FromRows([0.1, 0.2]), groups: 1));
        Assert.Throws<ArgumentException>(() => NegativeLabels.Score(_id.Scale(100), _negative, groups: 1));
        Assert.Throws<ArgumentException>(() => NegativeLabels.Score(_id, _negative, 2, [0, 1, 2]));
        Assert.Throws<ArgumentException>(() => NegativeLabels.Score(_id, _negative, 2, [0, 1, 2, 2]));
        Assert.Throws<ArgumentException>(() => NegativeLabels.Score(_id, _negative, 2, [0, 7]));
        Assert.Throws<ArgumentOutOfRangeException>(() => NegativeLabels.Score(_id, _negative, 2, logitScale: 0));
    }

    [Fact]
    public void Csp_ScoresNounsAndPhrasesAsOneSetOfNegatives()
    {
        Matrix nouns = Matrix.FromRows([.. Enumerable.Range(0, 4).Select(i => _negative[i][..4].ToArray())]);
        Matrix phrases = Matrix.FromRows([.. Enumerable.Range(0, 4).Select(i => _negative[i][4..].ToArray())]);
        IdScores csp = Csp.Score(_id, nouns, phrases, groups: 2, seed: 5);
        Assert.Equal("CSP", csp.Name);
        Assert.Equal(NegativeLabels.Score(_id, _negative, groups: 2, seed: 5), csp);
    }

    [Fact]
    public void Csp_MinesWithoutWhatAClassNearlyIs() => Assert.Equal([3, 1, 5, 2], Csp.Mine(_candidates, _idTexts, keep: 1));

    [Fact]
    public void CspPhrases_PutEachAdjectiveBeforeASuperclass()
    {
        string[] phrases = Csp.Phrases(["wet", "old", "tiny"], seed: 1);
        Assert.Equal(phrases, Csp.Phrases(["wet", "old", "tiny"], seed: 1));
        Assert.Equal(14, Csp.Superclasses.Distinct().Count());
        Assert.All(phrases.Zip(["wet", "old", "tiny"]), pair => Assert.Contains(pair.First, Csp.Superclasses.Select(word => $"{pair.Second} {word}")));
    }

    [Fact]
    public void Eoe_EqualsTheGoldenScores()
    {
        Golden expected = _golden["expected"];
        double beta = _golden["inputs", "eoe_beta"].Number;
        Golden.AssertClose(expected["eoe_T1"].Numbers, Eoe.Score(_id, _negative, beta).ToArray(), Golden.ToleranceOfDoubles);
        Golden.AssertClose(
            expected["eoe_scale100"].Numbers, Eoe.Score(_id, _negative, beta, temperature: 0.01).ToArray(), Golden.ToleranceOfDoubles);
        Golden.AssertClose(
            expected["max_id_over_joint_softmax"].Numbers,
            Eoe.Score(_id, _negative, beta: 0, temperature: 0.01).ToArray(),
            Golden.ToleranceOfDoubles);
    }

    [Fact]
    public void Eoe_OfBadInput_Throws()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Eoe.Score(_id, _negative, beta: -0.1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Eoe.Score(_id, _negative, temperature: 0));
        Assert.Throws<ArgumentException>(() => Eoe.Score(_id, _negative.Scale(100)));
    }
}
